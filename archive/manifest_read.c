/* Reads a piece's manifest: nothing in it is believed before it was looked at. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/columns.h"
#include "archive/frames.h"
#include "archive/json_fields.h"
#include "archive/manifest.h"
