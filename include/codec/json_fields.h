/*
 * json_fields.h: rows of a decoding table (struct field, json.h) in short words. ROW names the
 * struct that the table fills, and is defined anew before each one. For map.c files alone.
 */
#ifndef CODEC_JSON_FIELDS_H
#define CODEC_JSON_FIELDS_H

#include "base/base.h"
#include "codec/json.h"

#define TEXT(path, member)                                                 \
	{                                                                  \
		path, FIELD_TEXT, offsetof(ROW, member), FIELD_OPTIONAL, 0 \
	}
#define ID(path, member)                                                 \
	{                                                                \
		path, FIELD_ID, offsetof(ROW, member), FIELD_OPTIONAL, 0 \
	}
#define ID_NEEDED(path, member)                                          \
	{                                                                \
		path, FIELD_ID, offsetof(ROW, member), FIELD_REQUIRED, 0 \
	}
#define DECIMAL(path, member)                                                 \
	{                                                                     \
		path, FIELD_DECIMAL, offsetof(ROW, member), FIELD_OPTIONAL, 0 \
	}
#define DATE(path, member)                                                 \
	{                                                                  \
		path, FIELD_DATE, offsetof(ROW, member), FIELD_OPTIONAL, 0 \
	}
#define INT(path, member)                                                 \
	{                                                                 \
		path, FIELD_INT, offsetof(ROW, member), FIELD_OPTIONAL, 0 \
	}
#define BOOL(path, member)                                                 \
	{                                                                  \
		path, FIELD_BOOL, offsetof(ROW, member), FIELD_OPTIONAL, 0 \
	}

#endif
