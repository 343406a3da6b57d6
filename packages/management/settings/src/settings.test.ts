import { onSqlite } from '@vic/sql/testing';
import { settingsSuite } from './testing/settings.suite.ts';

onSqlite('settings', settingsSuite);
