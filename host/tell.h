/* What the host's side tells people, in whole sentences without a newline; how they appear is the caller's affair. */
#ifndef XENMETER_HOST_TELL_H
#define XENMETER_HOST_TELL_H

typedef void host_teller(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
