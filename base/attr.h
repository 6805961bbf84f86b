/* Compiler attributes used throughout. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

/* The caller must look at the result: a build with it ignored fails. */
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
