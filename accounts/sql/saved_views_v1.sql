-- What the role of web and workers may do with the views that officers keep.

GRANT INSERT, UPDATE, DELETE ON saved_views TO :"app_role";
