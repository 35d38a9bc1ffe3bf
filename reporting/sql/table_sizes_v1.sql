-- Sizes are remembered, and forgotten, by the app's own task.
GRANT INSERT, DELETE ON table_sizes TO :"app_role";
