import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** A repository is one of a project that exists: neither goes or comes behind the back of the other. */
export const repositoryProjects: Migration = {
  name: '0017-repository-projects',
  up: async (db, types) => {
    await sql`
      delete from repositories
      where not exists (select 1 from projects where projects.id = repositories.project_id)
    `.execute(db);
    await db.schema.dropIndex('repositories_project').execute();
    await types.refer(db, { table: 'repositories', column: 'project_id', to: 'projects' });
    await db.schema.createIndex('repositories_project').on('repositories').columns(['project_id', 'name']).execute();
  },
};
