import { onSqlite } from '@vic/sql/testing';
import { settingsSuite } from './settings.suite.ts';

onSqlite('settings', settingsSuite);
