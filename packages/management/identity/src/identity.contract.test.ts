import { onPostgres } from '@vic/sql/testing';
import { groupsSuite } from './testing/groups.suite.ts';
import { protectionSuite } from './testing/protection.suite.ts';
import { robotsSuite } from './testing/robots.suite.ts';
import { sessionsSuite } from './testing/sessions.suite.ts';
import { usersSuite } from './testing/users.suite.ts';

onPostgres('identity', (open) => {
  for (const suite of [usersSuite, groupsSuite, robotsSuite, sessionsSuite, protectionSuite]) suite(open);
});
