/** The role that a project's maker gets. */
export const ADMINISTRATOR_ROLE_ID = 1;
