using System.Buffers.Binary;
using Moat.Host;
using Moat.Linux;
using Moat.Platform.Systrap.Amd64;

namespace Moat.Platform.Systrap;

/// <summary>The memory at the top of every stub: code, read-only data, a page with orders, and the slots of its threads. Code and data lie at the same address in the Sentry, from which the
/// first stub inherits them.</summary>
internal sealed unsafe class SystrapRegion : IDisposable
{
    private readonly nint _start;

    /// <summary>Maps the region and assembles the code.</summary>
    /// <exception cref="InvalidOperationException">The host has no place for it.</exception>
    public SystrapRegion(int ordersFd)
    {
        _start = StubPlace.Reserve((nuint)new StubLayout(0, ordersFd, null).End);
        Layout = new StubLayout((ulong)_start, ordersFd, HostVdso.Find());
        StubPlace.Check(HostMemory.Unmap((nint)Layout.InheritedEnd, (nuint)(Layout.End - Layout.InheritedEnd)), "stub region");
        Code = SystrapCode.Assemble(Layout);

        // SAFETY: code and data are mapped, readable and writable, until the end of this constructor.
        Code.Bytes.CopyTo(new Span<byte>((void*)_start, StubLayout.CodeSize));
        FillData(new Span<byte>((void*)Layout.Data, StubLayout.DataSize));
        StubPlace.Check(HostMemory.Protect(_start, StubLayout.CodeSize, HostMemory.ProtRead | HostMemory.ProtExec), "stub region");
        StubPlace.Check(HostMemory.Protect((nint)Layout.Data, StubLayout.DataSize, HostMemory.ProtRead), "stub region");
    }

    /// <summary>Where things are.</summary>
    public StubLayout Layout { get; }

    /// <summary>The code.</summary>
    public SystrapCode Code { get; }

    /// <summary>The address of a function of the host's vDSO in every stub; 0 if there is none.</summary>
    public ulong FindHostFunction(string name) => Layout.HostVdso?.FindMovedFunction(name, Layout.Vdso) ?? 0;

    /// <inheritdoc/>
    public void Dispose() => HostMemory.Unmap(_start, (nuint)(Layout.InheritedEnd - Layout.Start));

    private void FillData(Span<byte> data)
    {
        ulong codeEnd = Layout.Start + StubLayout.CodeSize;
        SystrapFilters.ForWorker(Layout.Start, codeEnd).WriteTo(data[StubLayout.WorkerFilter..StubLayout.ApplicationFilter], Layout.Data + StubLayout.WorkerFilter);
        SystrapFilters.ForApplication(Layout.Start, codeEnd).WriteTo(data[StubLayout.ApplicationFilter..StubLayout.HandlerAction], Layout.Data + StubLayout.ApplicationFilter);

        // struct sigaction as rt_sigaction(2) takes it: handler, flags, restorer, mask.
        const ulong SigInfo = 4;
        const ulong OnStack = 0x08000000;
        const ulong Restorer = 0x04000000;
        ReadOnlySpan<ulong> action = [Code.Handler, SigInfo | OnStack | Restorer, Code.Restorer, ulong.MaxValue];
        ReadOnlySpan<ulong> ignore = [1, 0, 0, 0];
        for (int i = 0; i < action.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data[(StubLayout.HandlerAction + (i * 8))..], action[i]);
            BinaryPrimitives.WriteUInt64LittleEndian(data[(StubLayout.IgnoreAction + (i * 8))..], ignore[i]);
        }

        for (int i = 0; i < CallAnswers.Calls.Length; i++)
        {
            data[StubLayout.AnswerIndex + (int)CallAnswers.Calls[i]] = (byte)(i + 1);
        }

        for (int i = 0; i < MemoryFile.PageSize / sizeof(ulong); i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data[(StubLayout.Numbers + (i * 8))..], (ulong)i + 1);
        }
    }
}
