import { onPostgres } from '@vic/sql/testing';
import { schedulesSuite } from './testing/schedules.suite.ts';

onPostgres('schedules', schedulesSuite);
