import { onPostgres } from '@vic/sql/testing';
import { schedulesSuite } from './schedules.suite.ts';

onPostgres('schedules', schedulesSuite);
