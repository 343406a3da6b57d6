import { onPostgres } from '@vic/sql/testing';
import { accessSuite } from './testing/access.suite.ts';
import { tokensSuite } from './testing/tokens.suite.ts';

onPostgres('access', accessSuite);
onPostgres('tokens', tokensSuite);
