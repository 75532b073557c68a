-- The gateway that comes with the extension.

INSERT INTO order_ext_internal.gateways (pay_type, builtin) VALUES ('sandbox', true);
