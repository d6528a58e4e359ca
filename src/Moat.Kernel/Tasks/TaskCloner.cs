using Moat.Kernel.Ipc;
using Moat.Kernel.Memory;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Signals;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Tasks;

/// <summary>Makes tasks and processes out of others (clone(2)).</summary>
public static class TaskCloner
{
    /// <summary>Carries a request out, flags checked.</summary>
    /// <returns>The child's tid; EAGAIN at a limit, ENOMEM.</returns>
    public static Result<int> Clone(GuestTask parent, in CloneRequest request)
    {
        SentryKernel kernel = parent.Kernel;
        PidNamespace pids = parent.PidsForChildren;
        if (request.Has(CloneRequest.NewPids) && !pids.MakeChild(kernel.NamespaceIds).TryGet(out pids!, out Errno refused))
        {
            return refused;
        }

        bool isThread = request.Has(CloneRequest.ThreadFlag);
        if (kernel.Pids.Count >= kernel.Facts.TaskLimit)
        {
            return Errno.EAGAIN;
        }

        if (!kernel.TaskThreads.Take().TryGet(out TaskThread? thread, out Errno errno))
        {
            return errno;
        }

        if (!CloneNetwork(parent, request).TryGet(out NetworkNamespace? network, out errno))
        {
            thread.Abandon();
            return errno;
        }

        if (!CloneMemory(parent, request).TryGet(out MemoryManager? memory, out errno))
        {
            network.RemoveUser();
            thread.Abandon();
            return errno;
        }

        IContext context = kernel.Platform.NewContext();
        FdTable files = request.Has(CloneRequest.FilesFlag) ? parent.Files.Share() : parent.Files.Fork();
        FsContext fs = request.Has(CloneRequest.FsFlag) ? parent.Fs.Share() : parent.Fs.Clone();
        if (request.Has(CloneRequest.NewMounts))
        {
            fs.UnshareMounts();
        }

        UtsNamespace uts = request.Has(CloneRequest.NewUts) ? parent.Uts.Clone(kernel.NamespaceIds) : parent.Uts;
        IpcNamespace ipc = request.Has(CloneRequest.NewIpc) ? new IpcNamespace(kernel, kernel.NamespaceIds.Next()) : parent.Ipc;
        ipc.AddUser();
        GuestTask child;
        int pidfd = -1;
        Span<byte> fpu = stackalloc byte[context.FpuStateSize];
        parent.Context.ReadFpuState(fpu);
        lock (kernel.TaskLock)
        {
            ThreadGroup group = isThread ? parent.ThreadGroup : NewGroup(parent, pids, request);
            child = new GuestTask(kernel, group, memory, files, fs, parent.Credentials, uts, network, context);
            bool hasId = group.Pids.Allocate(child).TryGet(out TaskId? id, out errno);
            errno = !hasId ? errno : isThread && group.IsExiting ? Errno.ERESTARTNOINTR : Errno.None;
            if (errno == Errno.None && request.MakePidfd is { } makePidfd)
            {
                makePidfd(parent, group).TryGet(out pidfd, out errno);
            }

            if (errno != Errno.None)
            {
                if (id is not null)
                {
                    PidNamespace.Free(id, keepReserved: false);
                }
            }
            else
            {
                child.Id = id!;
                group.Container.AddTask();
                child.EnterIpc(ipc);
                group.Tasks.Add(child);
                if (!isThread)
                {
                    group.Leader = child;
                    pids.SetInit(group);
                    group.Parent!.Children.Add(group);
                    group.ParentTask = request.Has(CloneRequest.ParentFlag) ? parent.ThreadGroup.ParentTask : parent;
                    group.ProcessGroup = parent.ThreadGroup.ProcessGroup;
                    group.ProcessGroup.Members.Add(group);
                }

                if (!isThread)
                {
                    group.Timers.ScheduleCpuCheck();
                }

                child.Seccomp = parent.Seccomp;
                child.Signals.SetBlocked(parent.Signals.Blocked);
                kernel.CountCreated();
            }
        }

        if (errno != Errno.None)
        {
            memory.RemoveUser();
            files.RemoveUser(parent);
            fs.RemoveUser();
            ipc.RemoveUser();
            network.RemoveUser();
            context.Dispose();
            thread.Abandon();
            return errno;
        }

        if (!isThread && (!request.Has(CloneRequest.Vm) || request.Has(CloneRequest.Vfork)))
        {
            child.Signals.AlternateStack = parent.Signals.AlternateStack;
        }

        child.Scheduling = parent.Scheduling.Clone();
        child.SetName(System.Text.Encoding.Latin1.GetBytes(parent.Name));
        child.Registers = parent.Registers;
        TraceSteps.Forget(parent, ref child.Registers);
        child.Registers.Rax = 0;
        child.Registers.Rsp = request.Stack.IsNull ? parent.Registers.Rsp : request.Stack.Value;
        if (request.Has(CloneRequest.SetTls))
        {
            child.Registers.FsBase = request.Tls;
        }

        context.WriteFpuState(fpu);
        if (pidfd >= 0)
        {
            parent.Memory.Write(request.PidfdAddress, pidfd);
        }

        if (request.Has(CloneRequest.ParentSetTid))
        {
            parent.Memory.Write(request.ParentTid, child.Id.In(parent.Pids));
        }

        if (request.Has(CloneRequest.ChildSetTid))
        {
            memory.Write(request.ChildTid, child.Tid);
        }

        child.ClearTidAddress = request.Has(CloneRequest.ChildClearTid) ? request.ChildTid : default;
        int childTid = child.Id.In(parent.Pids);
        VforkGate? gate = request.Has(CloneRequest.Vfork) ? new VforkGate(parent) : null;
        child.VforkGate = gate;
        TraceEvent traceEvent = TraceLinks.OnClone(parent, child, request);
        thread.Start(child);
        if (traceEvent != TraceEvent.None)
        {
            TraceStops.Event(parent, traceEvent, (ulong)childTid);
        }

        while (gate is { IsOpen: false } && !parent.ThreadGroup.IsExiting)
        {
            parent.ParkUninterruptibly();
        }

        if (gate is { IsOpen: true })
        {
            TraceStops.Event(parent, TraceEvent.VforkDone, (ulong)childTid);
        }

        return childTid;
    }

    // With a reference for the child.
    private static Result<NetworkNamespace> CloneNetwork(GuestTask parent, in CloneRequest request)
    {
        if (request.Has(CloneRequest.NewNetwork))
        {
            return parent.Network.MakeNew(parent.Credentials.UserNamespace);
        }

        parent.Network.AddUser();
        return parent.Network;
    }

    private static Result<MemoryManager> CloneMemory(GuestTask parent, in CloneRequest request)
    {
        if (request.Has(CloneRequest.Vm))
        {
            Errno errno = parent.Memory.AddTask();
            return errno == Errno.None ? parent.Memory : errno;
        }

        return parent.Kernel.Platform.NewAddressSpace().TryGet(out IAddressSpace? space, out Errno failure) ? parent.Memory.Fork(space, parent.Registers) : failure;
    }

    private static ThreadGroup NewGroup(GuestTask parent, PidNamespace pids, in CloneRequest request)
    {
        ThreadGroup old = parent.ThreadGroup;
        SignalActions actions = request.Has(CloneRequest.Sighand) ? old.Actions : old.Actions.Clone();
        if (request.Has(CloneRequest.ClearSighand))
        {
            actions.ResetHandlers();
        }

        ThreadGroup? waiter = request.Has(CloneRequest.ParentFlag) ? old.Parent ?? old : old;
        return new ThreadGroup(old.Container, pids, waiter, request.Has(CloneRequest.ParentFlag) ? old.ExitSignal : request.ExitSignal, actions, old.Limits.Clone())
        {
            IsDumpable = old.IsDumpable,
            Personality = old.Personality,
            HasLeftTerminal = old.HasLeftTerminal,
            OomScoreAdjustment = old.OomScoreAdjustment,
            MinOomScoreAdjustment = old.MinOomScoreAdjustment,
        };
    }
}
