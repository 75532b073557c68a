-- Who may do what with a topic. SECURITY INVOKER: they must know their caller.

-- grant_topic(): src/message/verbs/grant_topic.c
CREATE FUNCTION order_ext.grant_topic(topic text, role regrole, privilege text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_grant_topic';

-- revoke_topic(): src/message/verbs/grant_topic.c
CREATE FUNCTION order_ext.revoke_topic(topic text, role regrole, privilege text)
	RETURNS void
	LANGUAGE C VOLATILE SECURITY INVOKER
	AS 'MODULE_PATHNAME', 'order_ext_revoke_topic';
