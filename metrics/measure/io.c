#include "io.h"

const char *const io_weight_names[IO_KINDS] = {"map",  "unmap", "transfer", "notify", "copy",
                                               "send", "recv",  "read",     "write"};

const char *const io_kind_names[IO_KINDS] = {"map", "unmap", "transfer", "notify", "copy",
                                             "tx",  "rx",    "read",     "write"};
