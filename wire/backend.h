/* Messages that a server sends: decoding those that the proxy looks into, encoding its own answers. */
#ifndef WIRE_BACKEND_H
#define WIRE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "wire/frame.h"

enum {
    BE_AUTHENTICATION = 'R',
    BE_KEY_DATA = 'K',
    BE_BIND_COMPLETE = '2',
    BE_CLOSE_COMPLETE = '3',
    BE_COMMAND_COMPLETE = 'C',
    BE_COPY_DATA = 'd',
    BE_COPY_DONE = 'c',
    BE_COPY_IN = 'G',
    BE_COPY_OUT = 'H',
    BE_COPY_BOTH = 'W',
    BE_DATA_ROW = 'D',
    BE_EMPTY_QUERY = 'I',
    BE_ERROR = 'E',
    BE_FUNCTION_CALL = 'V',
    BE_NEGOTIATE_VERSION = 'v',
    BE_NO_DATA = 'n',
    BE_NOTICE = 'N',
    BE_NOTIFICATION = 'A',
    BE_PARAMETER_DESCRIPTION = 't',
    BE_PARAMETER_STATUS = 'S',
    BE_PARSE_COMPLETE = '1',
    BE_PORTAL_SUSPENDED = 's',
    BE_READY = 'Z',
    BE_ROW_DESCRIPTION = 'T',
};

/* Authentication request codes (PostgreSQL documentation, AuthenticationXXX). */
enum { AUTH_OK = 0, AUTH_SASL = 10, AUTH_SASL_CONTINUE = 11, AUTH_SASL_FINAL = 12 };

MUST_USE bool backend_authentication(Str payload, uint32_t *code, Error *err);
/* Whether a SASL request offers a mechanism by this name. */
MUST_USE bool backend_sasl_offers(Str payload, const char *mechanism);
/* Appends a SASL request with all the mechanisms of the given one but one. */
void backend_put_sasl_without(Buf *out, Str payload, const char *mechanism);
/* The process id of BackendKeyData; 0 if it is too short. */
uint32_t backend_pid(Str payload) MUST_USE;
MUST_USE bool backend_parameter_status(Str payload, Str *name, Str *value, Error *err);
MUST_USE bool backend_ready(Str payload, char *status, Error *err); /* 'I', 'T', 'E' */
MUST_USE bool backend_command_tag(Str payload, Str *tag, Error *err);

/* The types of a ParameterDescription: *ntypes big-endian OIDs, unaligned. */
MUST_USE bool backend_parameter_description(Str payload, const uint8_t **types, int *ntypes, Error *err);
/* Appends a ParameterDescription of the first n types. */
void backend_put_parameter_description(Buf *out, const uint8_t *types, int ntypes);
/* The first n columns of a DataRow; ptr NULL for NULL. */
MUST_USE bool backend_columns(Str payload, Str *values, int n, Error *err);
/* The first column of a DataRow; ptr NULL for NULL. */
MUST_USE bool backend_first_column(Str payload, Str *value, Error *err);

/* Field of an ErrorResponse or NoticeResponse: 'S' severity, 'C' SQLSTATE, 'M' message, 'P' position, …
 * STR_NONE if it is not there (a server may leave out any of them). */
Str backend_error_field(Str payload, char field) MUST_USE;
/* Appends the whole message (type 'E' or 'N') with field P, if it has one, replaced by `position`
 * (characters, from 1), or left out for 0. */
void backend_put_with_position(Buf *out, char type, Str payload, uint32_t position);

/* severity: "ERROR", "FATAL"; "NOTICE", "WARNING". */
void backend_put_error(Buf *out, const char *severity, const Error *err);
/* A NoticeResponse in the same form. */
void backend_put_notice(Buf *out, const char *severity, const Error *notice);
void backend_put_auth_ok(Buf *out);
void backend_put_parameter_status(Buf *out, const char *name, const char *value);
void backend_put_key_data(Buf *out, uint32_t pid, uint32_t key);
void backend_put_ready(Buf *out, char status);
void backend_put_command_complete(Buf *out, const char *tag);
void backend_put_empty_query(Buf *out);
/* A result set of text columns, as the console has. */
void backend_put_row_description(Buf *out, const char *const *names, int n);
void backend_put_data_row(Buf *out, const char *const *values, int n); /* NULL is SQL NULL */
/* A bare reply: BE_PARSE_COMPLETE, BE_BIND_COMPLETE, BE_CLOSE_COMPLETE, BE_NO_DATA, … */
void backend_put_empty(Buf *out, char type);

#endif
