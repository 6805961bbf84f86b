/* The settings reference as Markdown: docs/settings.md. */
#ifndef CONF_REFERENCE_H
#define CONF_REFERENCE_H

#include "base/attr.h"

char *reference_markdown(void) MUST_USE; /* caller frees */

#endif
