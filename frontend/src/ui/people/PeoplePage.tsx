import { Button, Select, TextInput } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { memberAdd, memberList, memberRemove, memberUpdate } from "../../api/projects";
import { messageOf } from "../../api/errors";
import type { Member, Project, Role } from "../../api/types";
import { counted } from "../format";
import { keys } from "../queries";
import { useUser } from "../session/useSession";
import { Avatar } from "../shell/Avatar";
import { Confirm } from "../states/Confirm";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { complain, say } from "../states/messages";
import table from "../theme/table.module.css";
import styles from "./people.module.css";
import { canManage, ROLES } from "./roles";

/** There is one owner; the role is not handed out here. */
const GIVEN = ROLES.filter((role) => role.value !== "owner").map(({ value, name }) => ({ value, label: name }));

function AddMember({ project }: { project: Project }) {
  const queryClient = useQueryClient();
  const [username, setUsername] = useState("");
  const [role, setRole] = useState<Role>("annotator");
  const add = useMutation({
    mutationFn: () => memberAdd(project.id, username.trim(), role),
    onSuccess: (member) => {
      say(`${member.user.name || member.user.username} added`);
      setUsername("");
      void queryClient.invalidateQueries({ queryKey: keys.members(project.id) });
    },
  });
  return (
    <form
      className={table.addRow}
      data-testid="member-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (username.trim()) add.mutate();
      }}
    >
      <TextInput
        className="grow"
        label="Username"
        autoComplete="off"
        value={username}
        error={add.isError ? messageOf(add.error) : null}
        onChange={(event) => {
          setUsername(event.currentTarget.value);
          add.reset();
        }}
      />
      <Select label="Role" data={GIVEN} value={role} allowDeselect={false} onChange={(value) => value && setRole(value)} w={132} />
      <Button type="submit" size="md" h={32} disabled={username.trim() === ""} loading={add.isPending}>
        Add
      </Button>
    </form>
  );
}

function MemberRow({ project, member, isMe }: { project: Project; member: Member; isMe: boolean }) {
  const queryClient = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const refresh = () => void queryClient.invalidateQueries({ queryKey: keys.members(project.id) });
  const name = member.user.name || member.user.username;
  const change = useMutation({
    mutationFn: (role: Role) => memberUpdate(project.id, member.user.id, role),
    onSuccess: refresh,
    onError: (error) => complain(`${name} keeps the role`, error),
  });
  const remove = useMutation({
    mutationFn: () => memberRemove(project.id, member.user.id),
    onSuccess: () => {
      say(`${name} removed`);
      refresh();
    },
    onError: (error) => complain(`${name} is still a member`, error),
  });
  const mayChange = canManage(project.role) && member.role !== "owner" && !isMe;
  const role = ROLES.find((candidate) => candidate.value === member.role);
  return (
    <tr data-testid="member-row" data-name={member.user.username}>
      <td>
        <div className={styles.person}>
          <Avatar id={member.user.id} initials={member.user.initials} />
          <span className="ellipsis">
            {name}
            {isMe && <span className="t3"> (you)</span>}
          </span>
        </div>
      </td>
      <td className="t2">{member.user.username}</td>
      <td>
        {mayChange ? (
          <Select
            aria-label={`Role of ${name}`}
            data={GIVEN}
            value={member.role}
            allowDeselect={false}
            disabled={change.isPending}
            onChange={(value) => value && change.mutate(value)}
            w={132}
          />
        ) : (
          role?.name
        )}
      </td>
      <td className="t2">{role?.may}</td>
      <td className={table.end}>
        {mayChange && (
          <Button variant="subtle" onClick={() => setAsking(true)}>
            Remove
          </Button>
        )}
        <Confirm
          opened={isAsking}
          title={`Remove ${name} from ${project.name}?`}
          detail="What they labelled stays. They can be added again."
          act="Remove"
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate()}
        />
      </td>
    </tr>
  );
}

export function PeoplePage({ project }: { project: Project }) {
  useDocumentTitle(`People · ${project.name} · CellLoop`);
  const user = useUser();
  const members = useQuery({ queryKey: keys.members(project.id), queryFn: () => memberList(project.id) });
  return (
    <main className={table.page}>
      <h1>People</h1>
      <p className={table.lead}>{members.data ? `${counted(members.data.length, "person", "people")} can see this project. Nobody else can.` : "Who can see this project."}</p>
      <section className={table.card} aria-label="Members">
        {canManage(project.role) && (
          <>
            <h2>Add someone</h2>
            <p className="t2">They need an account on this server.</p>
            <AddMember project={project} />
          </>
        )}
        {members.isPending && <Loading what="people" />}
        {members.isError && !members.data && <Failure error={members.error} what="the people" retry={() => void members.refetch()} />}
        {members.data && (
          <table className={table.table}>
            <thead>
              <tr>
                <th>Name</th>
                <th>Username</th>
                <th>Role</th>
                <th>What they may do</th>
                <th>
              <span className="visually-hidden">Acts</span>
            </th>
              </tr>
            </thead>
            <tbody>
              {members.data.map((member) => (
                <MemberRow key={member.user.id} project={project} member={member} isMe={member.user.id === user.id} />
              ))}
            </tbody>
          </table>
        )}
      </section>
    </main>
  );
}
