import { databaseSuite } from './testing/database.suite.ts';
import { onPostgres } from './testing/index.ts';

onPostgres('a database', databaseSuite);
