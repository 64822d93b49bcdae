#include "parser/error.h"

#ifdef HAVE_libmicrohttpd

#include <dlfcn.h>
#include <string.h>

#include "http_library.h"

#ifndef HTTP_LIBRARY /* Makefile: the name that a program linked with it asks for */
#define HTTP_LIBRARY "libmicrohttpd.so"
#endif

struct http_library mhd;

static const char *const names[] = {
#define NAME(name) "MHD_" #name,
    HTTP_LIBRARY_FUNCTIONS(NAME)
#undef NAME
};

int http_library_load(struct error *err)
{
    void *functions[sizeof names / sizeof *names];
    _Static_assert(sizeof functions == sizeof mhd, "pointers to functions are as large as those to data");
    if (mhd.run)
        return 0;
    void *library = dlopen(HTTP_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return error_set(err, ERROR_USAGE, "libmicrohttpd cannot be loaded: %.200s", dlerror());
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!(functions[i] = dlsym(library, names[i])))
            return error_set(err, ERROR_USAGE, "libmicrohttpd: %.200s", dlerror());
    memcpy(&mhd, functions, sizeof mhd);
    return 0;
}

#endif
