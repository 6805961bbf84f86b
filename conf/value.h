/* One setting's value: from text to its typed field, and back. */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "base/error.h"
#include "conf/settings.h"

/* Reads `text` into the setting's field; `base` is the Config or TableConfig that holds it. An error's
 * message says what is wrong with the value, its hint what is allowed. */
MUST_USE bool value_read(const Setting *setting, const char *text, void *base, Error *err);

/* The field as text that value_read would take; "" for one that is not set. Caller frees. */
char *value_show(const Setting *setting, const void *base) MUST_USE;

/* What value_read takes, in words ("0 to 256"); NULL for free text. Caller frees. */
char *value_allowed(const Setting *setting) MUST_USE;

#endif
