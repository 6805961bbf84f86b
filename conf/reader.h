/* An INI text into a Config: sections, settings, their lines. */
#ifndef CONF_READER_H
#define CONF_READER_H

#include "conf/config.h"

/* Fills `config`, whose fields hold the defaults, from `text`; `config->path` stands for the file in
 * messages. Each value is checked by itself; how they fit together is config_check's. */
MUST_USE bool reader_read(Config *config, const char *text, Error *err);

#endif
