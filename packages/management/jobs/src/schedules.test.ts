import { onSqlite } from '@vic/sql/testing';
import { schedulesSuite } from './testing/schedules.suite.ts';

onSqlite('schedules', schedulesSuite);
