import { migrateSuite } from './testing/migrate.suite.ts';
import { onPostgres } from './testing/index.ts';

onPostgres('a schema', migrateSuite);
