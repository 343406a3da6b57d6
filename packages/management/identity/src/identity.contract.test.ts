import { describe } from 'vitest';
import { onPostgres } from '@vic/sql/testing';
import { groupsSuite } from './testing/groups.suite.ts';
import { oidcSuite } from './testing/oidc.suite.ts';
import { protectionSuite } from './testing/protection.suite.ts';
import { robotsSuite } from './testing/robots.suite.ts';
import { sessionsSuite } from './testing/sessions.suite.ts';
import { usersSuite } from './testing/users.suite.ts';

onPostgres('identity', (open) => {
  describe('users', () => {
    usersSuite(open);
  });
  describe('groups', () => {
    groupsSuite(open);
  });
  describe('robots', () => {
    robotsSuite(open);
  });
  describe('sessions and access tokens', () => {
    sessionsSuite(open);
  });
  describe('protection against guessing', () => {
    protectionSuite(open);
  });
  describe('signing in by OIDC', () => {
    oidcSuite(open);
  });
});
