import { Module } from '@nestjs/common';
import { NewPasswords } from './new-passwords.ts';
import { PasswordPolicy } from './password-policy.ts';
import { Passwords } from './passwords.ts';

@Module({ providers: [NewPasswords, PasswordPolicy, Passwords], exports: [NewPasswords, Passwords] })
export class PasswordsModule {}
