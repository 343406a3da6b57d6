import { onPostgres } from '@vic/sql/testing';
import { settingsSuite } from './testing/settings.suite.ts';

onPostgres('settings', settingsSuite);
