import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useState } from "react";

import { messageOf } from "../../api/errors";
import { useLogin, useSession } from "../session/useSession";
import { Logo } from "../shell/Logo";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import styles from "./login.module.css";

function LoginForm() {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const login = useLogin();
  return (
    <form
      className={styles.form}
      data-testid="login-form"
      onSubmit={(event) => {
        event.preventDefault();
        login.mutate({ username, password });
      }}
    >
      <div className={styles.brand}>
        <Logo size={32} />
        <h1>CellLoop</h1>
      </div>
      <TextInput
        label="Username"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        autoFocus
        required
        withAsterisk={false}
        value={username}
        onChange={(event) => setUsername(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        withAsterisk={false}
        visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      {/* Its place is kept while it is empty: a wrong password moves nothing. */}
      <p className={styles.error} role="alert" data-testid="login-error">
        {login.isError && messageOf(login.error)}
      </p>
      <Button type="submit" size="md" fullWidth loading={login.isPending}>
        Log in
      </Button>
      <p className={styles.help}>No account? The person who runs this server makes one for you.</p>
    </form>
  );
}

export function LoginPage() {
  useDocumentTitle("Log in · CellLoop");
  const session = useSession();
  return (
    <main className={styles.page}>
      {session.isPending && <Loading what="CellLoop" />}
      {session.isError && !session.data && <Failure error={session.error} what="CellLoop" retry={() => void session.refetch()} />}
      {session.data && <LoginForm />}
    </main>
  );
}
