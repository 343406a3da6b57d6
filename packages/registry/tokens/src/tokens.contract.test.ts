import { onPostgres } from '@vic/sql/testing';
import { tokensSuite } from './testing/tokens.suite.ts';

onPostgres('tokens', tokensSuite);
