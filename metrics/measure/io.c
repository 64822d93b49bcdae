#include "io.h"

const char *const io_kind_names[IO_KINDS] = {"map", "unmap", "transfer", "notify", "copy",
                                             "tx",  "rx",    "read",     "write"};
