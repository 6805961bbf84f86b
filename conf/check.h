/* Whether the settings of a file fit together, and what they amount to. */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/config.h"

MUST_USE bool check_config(const Config *config, ConfigUse use, Error *err);

/* What is allowed and yet deserves a word; `text` is valid during the call only. */
typedef void CheckNotice(void *arg, const char *text);
void check_notices(const Config *config, CheckNotice *notice, void *arg);

/* One line: how clients are authenticated, and which of the two connections use TLS. Caller frees. */
char *check_describe(const Config *config) MUST_USE;

#endif
