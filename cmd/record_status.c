/* xenmeter record --status: what the recorder of a folder does, for people. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "formats/time_text.h"
#include "metrics/human.h"
#include "record/recorder.h"
#include "record_status.h"

static uint64_t number_of(const json_t *state, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(state, key));
    return n > 0 ? (uint64_t)n : 0;
}

static const char *text_of(const json_t *state, const char *key)
{
    const char *text = json_string_value(json_object_get(state, key));
    return text ? text : "-";
}

static const char *time_of(const json_t *state, const char *key, char to[TIME_TEXT])
{
    size_t n = time_text(to, json_integer_value(json_object_get(state, key)), false);
    to[n] = '\0';
    return to;
}

/* NULL: there is no flight recorder. */
static void print_flight(const json_t *f)
{
    char a[HUMAN_BYTES], b[HUMAN_BYTES], c[HUMAN_BYTES], d[HUMAN_BYTES];
    if (!f)
        return;
    printf("flight     the last %s, %s, limited by %s; %s dumps\n", human_bytes(a, number_of(f, "bytes")),
           human_duration(b, number_of(f, "age_ns")),
           strcmp(text_of(f, "bound"), "begin") == 0 ? "the trace's beginning" : text_of(f, "bound"),
           human_count(c, number_of(f, "dumps")));
    if (number_of(f, "failed") > 0)
        printf("           %s dumps were not written\n", human_count(d, number_of(f, "failed")));
    if (number_of(f, "dumps") > 0)
        printf("           the last: %s\n", text_of(f, "last"));
}

static void print_table(const json_t *s)
{
    char a[HUMAN_BYTES], b[HUMAN_BYTES], c[HUMAN_BYTES], time[TIME_TEXT + 1];
    pid_t pid = (pid_t)number_of(s, "pid");
    bool runs =
        pid > 0 && strcmp(text_of(s, "state"), "not running") != 0 && (kill(pid, 0) == 0 || errno == EPERM);
    printf("host       %s, boot %s\n", text_of(s, "host"), text_of(s, "boot_id"));
    printf("recorder   process %ld, %s\n", (long)pid,
           runs ? text_of(s, "state") : "which does not run any more");
    printf("since      %s\n", time_of(s, "begun_utc_ns", time));
    printf("state of   %s\n", time_of(s, "utc_ns", time));
    printf("archive    %s\n", text_of(s, "archive"));
    printf("written    %s archives, %s\n", human_count(a, number_of(s, "archives")),
           human_bytes(b, number_of(s, "stored_bytes")));
    printf("trace      %s, %s records; %s wait to be decoded\n", human_bytes(a, number_of(s, "trace_bytes")),
           human_count(b, number_of(s, "records")), human_bytes(c, number_of(s, "waiting_bytes")));
    printf("lost       %s records; the pipe waited for %s; xentrace was started again %s times\n",
           human_count(a, number_of(s, "lost_records")), human_duration(b, number_of(s, "stalled_ns")),
           human_count(c, number_of(s, "restarts")));
    printf("takes      %s of CPU, %s of memory\n", human_duration(a, number_of(s, "cpu_ns")),
           human_bytes(b, number_of(s, "rss_bytes")));
    print_flight(json_object_get(s, "flight"));
    if (json_is_integer(json_object_get(s, "mask")))
        printf("reduced    only events of the mask 0x%" PRIx64 " are recorded (--max-cpu)\n",
               number_of(s, "mask"));
}

int record_status(const char *folder, bool json)
{
    struct error err = {0};
    char *text = NULL;
    if (recorder_status(folder, &text, &err) != 0)
        return fail(folder, &err);
    json_t *state = json_loads(text, 0, NULL);
    if (!json_is_object(state)) {
        error_set(&err, ERROR_FORMAT, "the state is damaged: the recorder writes it anew every 10 s");
        free(text);
        json_decref(state);
        return fail(folder, &err);
    }
    if (json)
        puts(text);
    else
        print_table(state);
    free(text);
    json_decref(state);
    return fflush(stdout) == 0 || errno == EPIPE ? EXIT_DONE : EXIT_ERROR;
}
