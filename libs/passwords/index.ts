export { PasswordsModule } from './passwords.module.ts';
export { NewPasswords } from './new-passwords.ts';
export { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from './password-policy.ts';
export { Passwords } from './passwords.ts';
