-- What the role of web and workers may do with one-time codes: replace, use up and forget them.

GRANT INSERT, UPDATE, DELETE ON one_time_codes TO :"app_role";
