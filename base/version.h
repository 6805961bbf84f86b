#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define SHARDFERRY_VERSION "0.1.0"

#endif
