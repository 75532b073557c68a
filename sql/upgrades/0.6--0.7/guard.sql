\echo Use "ALTER EXTENSION order_ext UPDATE" to load this file. \quit

