#include "config.h"

#include "search/error.h"

G_DEFINE_QUARK(search, search_error)
