import { onSqlite } from '@vic/sql/testing';
import { proxyCacheSuite } from '../testing/proxy-cache.suite.ts';

onSqlite('proxy cache', proxyCacheSuite);
