-- An identity document is what was sent, for good: the app may only ask for it again.

REVOKE UPDATE ON kyc_documents FROM :"app_role";
GRANT UPDATE (asked_again_at, asked_again_reason) ON kyc_documents TO :"app_role";
