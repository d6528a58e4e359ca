using System.Text;
using System.Text.Json;
using Moat.Host;
using Moat.Host.Process;
using Moat.Linux;
using Moat.Oci;

namespace Moat.Runtime.Hooks;

/// <summary>Runs a container's hooks: one after another, the state on standard input, nothing in the environment but what the configuration gives them.</summary>
public static class HookRunner
{
    private const int MaxErrorText = 1024;

    /// <summary>Runs hooks of a kind.</summary>
    /// <param name="kind">For messages: prestart, createRuntime …</param>
    /// <param name="hooks">In order.</param>
    /// <param name="state">What they read.</param>
    /// <param name="networkNamespace">A namespace file that they run in, or null for the caller's.</param>
    /// <exception cref="RuntimeException">One failed or took too long; those after it are not run.</exception>
    public static void Run(string kind, IReadOnlyList<OciHook> hooks, OciState state, string? networkNamespace = null)
    {
        for (int i = 0; i < hooks.Count; i++)
        {
            if (RunOne(hooks[i], state, networkNamespace) is { } fault)
            {
                throw new RuntimeException($"{kind} hook {i} ({hooks[i].Path}): {fault}");
            }
        }
    }

    /// <summary>As <see cref="Run"/>, but goes on after a failure and returns the faults (poststart and poststop hooks).</summary>
    public static IReadOnlyList<string> RunAll(string kind, IReadOnlyList<OciHook> hooks, OciState state)
    {
        List<string> faults = [];
        for (int i = 0; i < hooks.Count; i++)
        {
            if (RunOne(hooks[i], state, null) is { } fault)
            {
                faults.Add($"{kind} hook {i} ({hooks[i].Path}): {fault}");
            }
        }

        return faults;
    }

    private static string? RunOne(OciHook hook, OciState state, string? networkNamespace)
    {
        using DescriptorSet owned = new();
        byte[] input = JsonSerializer.SerializeToUtf8Bytes(state, OciJson.Default.OciState);
        if (!HostMemory.CreateMemfd("state"u8, sealable: false).TryGet(out int stdin, out Errno errno) || !owned.Add(stdin)
            || HostFile.Write(stdin, input).IsError || HostCall.Invoke(SyscallNumber.lseek, stdin, 0, 0).IsError
            || !HostMemory.CreateMemfd("output"u8, sealable: false).TryGet(out int output, out errno) || !owned.Add(output))
        {
            return $"cannot prepare its input: {errno}";
        }

        using SpawnPlan plan = new();
        if (networkNamespace is not null)
        {
            if (!HostPath.OpenFile(networkNamespace, OpenFlags.O_RDONLY).TryGet(out int ns, out errno))
            {
                return $"cannot open {networkNamespace}: {ErrorText.Describe(errno)}";
            }

            owned.Add(ns);
            plan.Call("setns", SyscallNumber.setns, false, ns, unchecked((nint)(ulong)SpawnFlags.CLONE_NEWNET));
        }

        plan.Call("setsid", SyscallNumber.setsid, false);
        plan.Descriptors([stdin, output, output]);
        plan.Execute(hook.Path, hook.Args.Count > 0 ? hook.Args : [hook.Path], hook.Env);
        int pid = plan.Run(out SpawnFailure failure);
        if (pid == 0)
        {
            return failure.ToString();
        }

        if (hook.Timeout is { } seconds && HostProcess.Find(pid).TryGet(out HostProcess process, out _) && !process.WaitForEnd((int)Math.Min(seconds * 1000L, int.MaxValue)))
        {
            HostCall.Invoke(SyscallNumber.kill, -pid, (int)Signal.SIGKILL);
            process.Kill(Signal.SIGKILL);
            WaitStatus.WaitFor(pid);
            return $"did not end within {seconds} s";
        }

        if (!WaitStatus.WaitFor(pid).TryGet(out WaitStatus status, out errno))
        {
            return $"wait: {errno}";
        }

        if (status is { HasExited: true, ExitCode: 0 })
        {
            return null;
        }

        string end = status.HasExited ? $"exit status {status.ExitCode}" : $"killed by signal {status.TermSignal}";
        byte[] text = new byte[MaxErrorText];
        SyscallResult count = HostFile.ReadAt(output, text, 0);
        string said = Encoding.UTF8.GetString(text, 0, count.IsError ? 0 : (int)count.Raw).Trim().ReplaceLineEndings(" ");
        return said.Length > 0 ? $"{end}: {said}" : end;
    }
}
