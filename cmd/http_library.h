/*
 * libmicrohttpd, loaded when a server is made: linked with the program, it and what it needs (GnuTLS among them) would take as long at
 * every start as all other libraries together.
 * Only where HAVE_libmicrohttpd is defined.
 */
#ifndef XENMETER_CMD_HTTP_LIBRARY_H
#define XENMETER_CMD_HTTP_LIBRARY_H

#include <microhttpd.h>

#include "parser/error.h"

#define HTTP_LIBRARY_FUNCTIONS(F)                                                                            \
    F(add_response_header)                                                                                   \
    F(create_response_from_buffer)                                                                           \
    F(create_response_from_buffer_with_free_callback_cls)                                                    \
    F(destroy_response)                                                                                      \
    F(get_connection_info)                                                                                   \
    F(get_daemon_info)                                                                                       \
    F(get_timeout)                                                                                           \
    F(lookup_connection_value)                                                                               \
    F(queue_response)                                                                                        \
    F(run)                                                                                                   \
    F(start_daemon)                                                                                          \
    F(stop_daemon)

/* MHD_run is mhd.run, and so on; all NULL before http_library_load. */
struct http_library {
#define HTTP_LIBRARY_MEMBER(name) __typeof__(&MHD_##name) name;
    HTTP_LIBRARY_FUNCTIONS(HTTP_LIBRARY_MEMBER)
#undef HTTP_LIBRARY_MEMBER
};

extern struct http_library mhd;

/* Fills mhd, once. -1 with `err` filled: the library is not there, or is another one. Before there is a second thread. */
int http_library_load(struct error *err);

#endif
