#include "sim/true_document.h"

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
    return object;
}

static json_t *domain_json(const struct sim_host *host, const struct sim_domain *d, uint32_t second)
{
    json_t *object = json_object(), *vcpus = json_array();
    json_object_set_new(object, "domain", number(d->id));
    json_object_set_new(object, "name", json_string(d->plan->name));
    for (size_t i = 0; i < d->plan->vcpus; i++)
        json_array_append_new(vcpus, vcpu_json(host, &d->vcpus[i], second));
    json_object_set_new(object, "vcpus", vcpus);
    return object;
}

/* The amounts of one second, or (second == truth.seconds) of all of them, as members of `object`. */
static void add_amounts(const struct sim_host *host, json_t *object, uint32_t second)
{
    json_t *domains = json_array();
    for (size_t i = 0; i < host->plan->domain_count; i++)
        json_array_append_new(domains, domain_json(host, &host->domains[i], second));
    json_object_set_new(object, "domains", domains);
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
    if (json_object_set_new(root, "seconds", seconds) == 0)
        return root;
    json_decref(root);
    return NULL;
}
