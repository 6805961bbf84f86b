/* What the settings that hold libpq connection strings may say. */
#ifndef CONF_CONNINFO_H
#define CONF_CONNINFO_H

#include <stdbool.h>

#include "base/error.h"

/* Whether a connection by this string uses TLS. */
typedef enum ConninfoTls {
    CONNINFO_TLS_NEVER,   /* sslmode=disable, or a Unix socket, where libpq does not try it */
    CONNINFO_TLS_RARELY,  /* allow: where the server refuses a connection without */
    CONNINFO_TLS_OFFERED, /* prefer: where the server has it */
    CONNINFO_TLS_ALWAYS,  /* require, verify-ca, verify-full */
} ConninfoTls;

/* Checks the coordinator setting: known keywords, one host, no identity, sound values. The message does not
 * name the setting. */
MUST_USE bool conninfo_check_coordinator(const char *conninfo, Error *err);
/* Checks what libpq itself can check without connecting. */
MUST_USE bool conninfo_check_control(const char *conninfo, Error *err);

/* For strings that passed the check. *sslmode is the mode's name; it is a constant. */
ConninfoTls conninfo_tls(const char *conninfo, const char **sslmode);

/* The string with its passwords as "***"; a copy if it has none. Caller frees. */
char *conninfo_without_password(const char *conninfo) MUST_USE;

#endif
