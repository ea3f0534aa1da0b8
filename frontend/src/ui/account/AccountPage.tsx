import { Button, CopyButton, TextInput } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { tokenCreate, tokenDelete, tokenList } from "../../api/tokens";
import type { Token, TokenCreated } from "../../api/types";
import { dayTime } from "../format";
import { keys } from "../queries";
import { useUser } from "../session/useSession";
import { PlainPage } from "../shell/PlainPage";
import { Confirm } from "../states/Confirm";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { complain, say } from "../states/messages";
import table from "../theme/table.module.css";
import styles from "./account.module.css";

function NewToken({ onCreated }: { onCreated: (token: TokenCreated) => void }) {
  const queryClient = useQueryClient();
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => tokenCreate(name.trim()),
    onSuccess: (token) => {
      setName("");
      onCreated(token);
      void queryClient.invalidateQueries({ queryKey: keys.tokens });
    },
    onError: (error) => complain("No token was created", error),
  });
  return (
    <form
      className={table.addRow}
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <TextInput
        className="grow"
        label="What the token is for"
        placeholder="Nightly export script"
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Button type="submit" size="md" h={32} disabled={name.trim() === ""} loading={create.isPending} data-testid="token-create">
        Create token
      </Button>
    </form>
  );
}

function CreatedToken({ token }: { token: TokenCreated }) {
  return (
    <div className={styles.created} role="status" data-testid="token-created">
      <p>
        <b>Copy the token now.</b> It is shown this once{token.expiry ? ` and works until ${dayTime(token.expiry)}` : ""}.
      </p>
      <div className={styles.secret}>
        <code className="mono">{token.token}</code>
        <CopyButton value={token.token}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy} leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
      </div>
      <p className="small t2">
        Send it as <code className="mono">Authorization: Token …</code>
      </p>
    </div>
  );
}

function TokenRow({ token }: { token: Token }) {
  const queryClient = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const name = token.name || "Token without a name";
  const remove = useMutation({
    mutationFn: () => tokenDelete(token.id),
    onSuccess: () => {
      say(`${name} revoked`);
      void queryClient.invalidateQueries({ queryKey: keys.tokens });
    },
    onError: (error) => complain(`${name} still works`, error),
  });
  return (
    <tr>
      <td>
        {name} <span className="mono t3">{token.key_start}…</span>
      </td>
      <td className="t2">{dayTime(token.created_at)}</td>
      <td className="t2">{token.expiry ? dayTime(token.expiry) : "never"}</td>
      <td className={table.end}>
        <Button variant="subtle" onClick={() => setAsking(true)}>
          Revoke
        </Button>
        <Confirm
          opened={isAsking}
          title={`Revoke ${name}?`}
          detail="Scripts that use it stop working at once. This cannot be undone."
          act="Revoke token"
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate()}
        />
      </td>
    </tr>
  );
}

function TokenTable({ tokens }: { tokens: Token[] }) {
  if (tokens.length === 0) return <p className={table.empty}>No tokens. Scripts need one; the browser does not.</p>;
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Token</th>
          <th>Created</th>
          <th>Expires</th>
          <th>
              <span className="visually-hidden">Acts</span>
            </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <TokenRow key={token.id} token={token} />
        ))}
      </tbody>
    </table>
  );
}

export function AccountPage() {
  useDocumentTitle("Account · CellLoop");
  const user = useUser();
  const [created, setCreated] = useState<TokenCreated | null>(null);
  const tokens = useQuery({ queryKey: keys.tokens, queryFn: tokenList });
  return (
    <PlainPage>
      <main className={table.page}>
        <h1>Account</h1>
        <p className={table.lead}>
          Logged in as {user.username}
          {user.name && user.name !== user.username ? `, ${user.name}` : ""}.
        </p>
        <section className={table.card} aria-label="API tokens">
          <h2>API tokens</h2>
          <p className="t2">A token lets a script do what you may do. Keep it like a password.</p>
          <NewToken onCreated={setCreated} />
          {created && <CreatedToken token={created} />}
          {tokens.isPending && <Loading what="tokens" />}
          {tokens.isError && !tokens.data && <Failure error={tokens.error} what="the tokens" retry={() => void tokens.refetch()} />}
          {tokens.data && <TokenTable tokens={tokens.data} />}
        </section>
      </main>
    </PlainPage>
  );
}
