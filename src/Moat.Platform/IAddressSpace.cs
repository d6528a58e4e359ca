using Moat.Linux;

namespace Moat.Platform;

/// <summary>One application address space as the hardware sees it. It is a cache of what the kernel's memory manager decided: anything may be
/// missing from it and comes back through a fault.</summary>
/// <remarks>Safe to call from any thread. A change is in effect for every context of the space when the call returns; a platform may put it
/// off until the next <see cref="IContext.Switch"/> while no context of the space is running application code. All addresses, lengths and
/// offsets are multiples of the page size and lie inside <see cref="IPlatform.MinAddress"/>..<see cref="IPlatform.MaxAddress"/>; anything else is a bug of the caller.</remarks>
public interface IAddressSpace : IDisposable
{
    /// <summary>Maps <paramref name="length"/> bytes of <paramref name="file"/> (always shared: copy-on-write is the kernel's business), replacing what is there.</summary>
    /// <param name="precommit">Whether to populate the host's page tables now, because the pages are about to be used.</param>
    /// <returns>ENOMEM when the host refuses another mapping.</returns>
    Errno Map(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit);

    /// <summary>Says what will probably be touched, in a range where nothing is mapped: it is mapped with the next change that has to be made, or when it is taken, or never.</summary>
    void Offer(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit);

    /// <summary>Maps all that is offered if something is offered at the address that permits the access. After a fault: what was offered is in effect before application code goes on.</summary>
    /// <returns>False if there is no such offer.</returns>
    bool TakeOffer(GuestAddress address, MemoryAccess access);

    /// <summary>Begins to carry out what was put off, without waiting for the end: a context will enter soon.</summary>
    void Begin();

    /// <summary>Removes whatever is mapped in the range.</summary>
    void Unmap(GuestAddress address, ulong length);

    /// <summary>Takes access to what is mapped in the range away; holes stay holes.</summary>
    /// <param name="access">What is left, no writing that was not possible before.</param>
    void Protect(GuestAddress address, ulong length, MemoryAccess access);

    /// <summary>Others are given pages as well that are mapped in the range: where they are, nobody writes to them through this space any more, not even an application that is not what it seems.</summary>
    /// <param name="access">How they may be used, without writing.</param>
    void Share(GuestAddress address, ulong length, MemoryFile file, ulong fileOffset, MemoryAccess access);

    /// <summary>Takes away all access to what is mapped in the range, as <see cref="Unmap"/> does, but may keep it where it is, for <see cref="ShowKept"/>. For a task of the
    /// space that calls on its own thread, as <see cref="ShowKept"/> is: a platform may have it done by that task's context when it enters.</summary>
    /// <returns>False if nothing has changed: the range is to be unmapped.</returns>
    bool Conceal(GuestAddress address, ulong length) => false;

    /// <summary>Takes over the reference on each of some pages that <see cref="Conceal"/> has just concealed and that nobody else has.</summary>
    /// <returns>False if the pages are to be retired.</returns>
    bool Keep(GuestAddress address, MemoryFile file, int page, int pages) => false;

    /// <summary>Takes over the reference on each of some zero pages, to keep them where nothing is mapped, for <see cref="ShowKept"/>: the application will soon want memory there.
    /// They are kept with the next change that has to be made, or never.</summary>
    /// <returns>False if they are still the caller's.</returns>
    bool Prepare(GuestAddress address, MemoryFile file, int page, int pages) => false;

    /// <summary>Shows pages that were kept from an address on, readable and writable. They are zero, and the references are the caller's from now on.</summary>
    /// <param name="maxPages">How many are useful.</param>
    /// <param name="page">The first one.</param>
    /// <returns>How many there are, neighbours in the file; 0 if none is kept at the address.</returns>
    int ShowKept(GuestAddress address, MemoryFile file, int maxPages, out int page)
    {
        page = 0;
        return 0;
    }

    /// <summary>Gives references on pages of the memory file back once application code can't reach them through this space any more. The caller has unmapped or replaced what showed
    /// them, or disposed of the space.</summary>
    /// <remarks>A platform that puts changes off has to wait with this: application code that lies about being stopped would read what the pages' next owner writes.</remarks>
    void Retire(MemoryFile file, int page, int pages);

    /// <summary>Carries out what was put off, for pages whose references are not given back through <see cref="Retire"/>.</summary>
    void Flush();

    /// <summary>Makes sure that one more context can enter the space beside those that are in it. Called by a task of the space before it starts another one in it
    /// (clone(2) with CLONE_VM), on that task's thread. Each call is for one context: until that has entered, nobody else gets its place.</summary>
    /// <param name="users">How many tasks live in the space, the caller and the new one among them: a place for one that ended before it entered is given out again.</param>
    /// <returns>EAGAIN or ENOMEM when the host refuses another thread.</returns>
    Errno Reserve(ref readonly int users);
}
