using System.Globalization;
using System.Text;
using Moat.Control;
using Moat.Host;
using Moat.Host.Process;
using Moat.Linux;
using Moat.Runtime.Launch;

namespace Moat.Runtime.Exec;

/// <summary>A small process of the host that stands for a process in a container after the command that started it has ended: engines wait for it, signal it and kill it.</summary>
public static class ExecProxy
{
    private const string MarkPrefix = "exec-";

    /// <summary>The proxy's own life; see <see cref="ExecConfig"/> for what it inherits.</summary>
    /// <returns>The exit code of the process it stands for.</returns>
    public static int Run(RuntimeOptions options)
    {
        if (!ConfigFile.Read(ExecConfig.Descriptor, ExecJson.Default.ExecConfig).TryGet(out ExecConfig? config, out Errno errno))
        {
            throw new RuntimeException($"exec configuration: {errno}");
        }

        HostMemory.Close(ExecConfig.Descriptor);
        string mark = Path.Combine(options.Root, config.Id, string.Create(CultureInfo.InvariantCulture, $"{MarkPrefix}{Environment.ProcessId}"));
        bool isStarted = false;
        try
        {
            int[] streams = [0, 1, 2, .. Enumerable.Range(ExecConfig.ReadyDescriptor + 1, config.PreservedFds)];
            return ExecSession.Serve(options, config.Id, config.Process, streams, guestPid =>
            {
                if (config.InternalPidFile is { } path)
                {
                    PidFile.Write(path, guestPid);
                }

                File.WriteAllText(mark, guestPid.ToString(CultureInfo.InvariantCulture));
                isStarted = true;
                HostMemory.Close(ExecConfig.ReadyDescriptor);
            });
        }
        catch (RuntimeException e) when (!isStarted)
        {
            HostFile.Write(ExecConfig.ReadyDescriptor, Encoding.UTF8.GetBytes(e.Message));
            throw;
        }
        finally
        {
            Remove(mark);
        }
    }

    /// <summary>Pids of the proxies of a container.</summary>
    public static IReadOnlyList<int> List(RuntimeOptions options, string id)
    {
        List<int> pids = [];
        foreach (string path in Directory.EnumerateFiles(Path.Combine(options.Root, id), MarkPrefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(path)[MarkPrefix.Length..], CultureInfo.InvariantCulture, out int pid) && HostProcess.Find(pid).TryGet(out HostProcess process, out _) && process.IsAlive)
            {
                pids.Add(pid);
            }
        }

        return pids;
    }

    /// <summary>Starts a proxy and waits until its process runs.</summary>
    /// <returns>The proxy's pid.</returns>
    /// <exception cref="RuntimeException">The process cannot be started; then there is no proxy either.</exception>
    internal static int Start(RuntimeOptions options, ExecOptions exec)
    {
        using DescriptorSet owned = new();
        int slave = -1;
        if (exec.ConsoleSocket is { } socket)
        {
            slave = ConsoleSocket.CreateAndSend(socket, exec.Process.ConsoleSize);
            owned.Add(slave);
        }

        ExecConfig config = new() { Id = exec.Id, Process = exec.Process, PreservedFds = exec.PreservedFds, InternalPidFile = exec.InternalPidFile is { } path ? Path.GetFullPath(path) : null };
        if (!ConfigFile.Create(config, ExecJson.Default.ExecConfig, "exec"u8).TryGet(out int configFd, out Errno errno) || !owned.Add(configFd)
            || !HostPipe.Create().TryGet(out (int Read, int Write) ready, out errno) || !owned.Add(ready.Read) || !owned.Add(ready.Write)
            || !HostPath.OpenFile("/proc/self/exe", OpenFlags.O_PATH).TryGet(out int executable, out errno) || !owned.Add(executable))
        {
            throw new RuntimeException($"cannot start a process for exec: {errno}");
        }

        ChildDescriptors child = new();
        child.Add(slave >= 0 ? slave : 0);
        child.Add(slave >= 0 ? slave : 1);
        child.Add(slave >= 0 ? slave : 2);
        child.Add(configFd);
        child.Add(ready.Write);
        for (int fd = 3; fd < 3 + exec.PreservedFds; fd++)
        {
            child.Add(fd);
        }

        using SpawnPlan plan = new();
        plan.Call("setsid", SyscallNumber.setsid, false);
        if (slave >= 0)
        {
            const int TiocsCtty = 0x540E;
            plan.Call("controlling terminal", SyscallNumber.ioctl, false, slave, TiocsCtty, 0);
        }

        plan.Descriptors(child.Sources, executable);
        plan.Execute(executable, ProcessTitle.With(["runsc", $"--root={options.Root}", "exec-proxy", exec.Id], exec.Process.Args), [$"PATH={Environment.GetEnvironmentVariable("PATH")}"]);
        int pid = plan.Run(out SpawnFailure failure);
        if (pid == 0)
        {
            throw new RuntimeException($"cannot start a process for exec: {failure}");
        }

        owned.Close(ready.Write);
        string answer = ReadAll(ready.Read);
        if (answer.Length == 0)
        {
            return pid;
        }

        WaitStatus.WaitFor(pid);
        throw new RuntimeException(answer);
    }

    private static string ReadAll(int fd)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[4096];
        SyscallResult count;
        while ((count = HostFile.Read(fd, buffer)).Errno == Errno.EINTR || count.Raw > 0)
        {
            all.Write(buffer, 0, count.IsError ? 0 : (int)count.Raw);
        }

        return Encoding.UTF8.GetString(all.ToArray());
    }

    private static void Remove(string mark)
    {
        try
        {
            File.Delete(mark);
        }
        catch (IOException)
        {
            // The container was deleted, and the mark with it.
        }
    }
}
