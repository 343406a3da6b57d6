import { onSqlite } from '@vic/sql/testing';
import { schedulesSuite } from './schedules.suite.ts';

onSqlite('schedules', schedulesSuite);
