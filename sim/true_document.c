#include "sim/true_document.h"

#include <stdlib.h>

#include "sim/driver.h"

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *vcpu_json(const struct sim_host *host, const struct sim_vcpu *v, uint32_t second)
{
    static const char *const keys[TRUE_STATES] = {"running_ns", "runnable_ns", "blocked_ns", "offline_ns"};
    json_t *object = json_object();
    json_object_set_new(object, "vcpu", number(v->id));
    for (uint32_t i = 0; i < TRUE_STATES; i++)
        json_object_set_new(object, keys[i],
                            number(true_account_amount(&host->truth, v->first_state_cell + i, second)));
    for (uint32_t i = 0; i < SIM_COUNTS; i++)
        json_object_set_new(object, sim_count_names[i],
                            number(true_account_amount(&host->truth, v->first_count_cell + i, second)));
    return object;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Adds the percentiles of response times, if there were any; exact. */
static void add_responses(const struct sim_host *host, json_t *work, uint32_t domain, uint32_t second)
{
    size_t n;
    const struct true_response *responses = true_account_responses(&host->truth, domain, second, &n);
    uint64_t *times = malloc((n + 1) * sizeof *times);
    if (n > 0 && times) {
        for (size_t i = 0; i < n; i++)
            times[i] = responses[i].took_ns;
        qsort(times, n, sizeof *times, by_size);
        json_object_set_new(work, "response_p50_ns", number(times[(n - 1) / 2]));
        json_object_set_new(work, "response_p99_ns", number(times[(n - 1) * 99 / 100]));
    }
    free(times);
}

static json_t *work_json(const struct sim_host *host, const struct sim_domain *d, uint32_t second)
{
    json_t *work = json_object();
    for (uint32_t i = 0; i < SIM_DONES; i++)
        json_object_set_new(work, sim_done_names[i],
                            number(true_account_amount(&host->truth, d->first_done_cell + i, second)));
    add_responses(host, work, d->index, second);
    return work;
}

static json_t *domain_json(const struct sim_host *host, const struct sim_domain *d, uint32_t second)
{
    json_t *object = json_object(), *vcpus = json_array();
    json_object_set_new(object, "domain", number(d->id));
    json_object_set_new(object, "life", number(d->life));
    if (d->born_ns != SIM_NEVER)
        json_object_set_new(object, "created_ns", number(d->born_ns));
    if (d->died_ns != SIM_NEVER)
        json_object_set_new(object, "removed_ns", number(d->died_ns));
    json_object_set_new(object, "name", json_string(d->plan->name));
    for (size_t i = 0; i < d->plan->vcpus; i++)
        json_array_append_new(vcpus, vcpu_json(host, &d->vcpus[i], second));
    json_object_set_new(object, "vcpus", vcpus);
    json_object_set_new(object, "work", work_json(host, d, second));
    return object;
}

static json_t *charged_json(const struct sim_host *host, const struct sim_pair *pair, uint32_t second)
{
    json_t *object = json_object(), *by = json_object();
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SIM_WORKS; i++) {
        uint64_t ns = true_account_amount(&host->truth, pair->first_cell + i, second);
        json_object_set_new(by, sim_work_names[i], number(ns));
        sum += ns;
    }
    json_object_set_new(object, "domain", number(pair->guest->id));
    json_object_set_new(object, "life", number(pair->guest->life));
    json_object_set_new(object, "driver_domain", number(pair->driver->domain->id));
    json_object_set_new(object, "cpu_ns", number(sum));
    json_object_set_new(object, "by", by);
    return object;
}

static json_t *own_json(const struct sim_host *host, const struct sim_driver *driver, uint32_t second)
{
    json_t *object = json_object();
    json_object_set_new(object, "driver_domain", number(driver->domain->id));
    json_object_set_new(object, "cpu_ns",
                        number(true_account_amount(&host->truth, driver->domain->own_cell, second)));
    return object;
}

/* The amounts of one second, or (second == truth.seconds) of all of them, as members of `object`. */
static void add_amounts(const struct sim_host *host, json_t *object, uint32_t second)
{
    json_t *domains = json_array(), *charged = json_array(), *own = json_array();
    for (size_t i = 0; i < host->plan->domain_count; i++)
        json_array_append_new(domains, domain_json(host, &host->domains[i], second));
    for (const struct sim_pair *pair = host->pairs; pair; pair = pair->next)
        json_array_append_new(charged, charged_json(host, pair, second));
    for (size_t i = 0; i < host->driver_count; i++)
        json_array_append_new(own, own_json(host, &host->drivers[i], second));
    json_object_set_new(object, "domains", domains);
    json_object_set_new(object, "charged", charged);
    json_object_set_new(object, "own", own);
}

json_t *true_document(const struct sim_host *host)
{
    json_t *root = json_object(), *seconds = json_array();
    json_object_set_new(root, "cpu_hz", number(host->plan->cpu_hz));
    json_object_set_new(root, "duration_ns", number(host->last_ns));
    add_amounts(host, root, host->truth.seconds);
    for (uint32_t s = 0; s < host->truth.seconds; s++) {
        json_t *second = json_object();
        json_object_set_new(second, "start_ns", number((uint64_t)s * TRUE_SECOND_NS));
        add_amounts(host, second, s);
        json_array_append_new(seconds, second);
    }
    json_object_set_new(root, "seconds", seconds);
    return root;
}
