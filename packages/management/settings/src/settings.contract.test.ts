import { onPostgres } from '@vic/sql/testing';
import { settingsSuite } from './settings.suite.ts';

onPostgres('settings', settingsSuite);
