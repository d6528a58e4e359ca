using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>mremap(2). Guarded by the lock of the <see cref="MemoryManager"/> whose mappings it moves.</summary>
internal sealed class MappingMoves(AddressLayout layout, MappingSet mappings, MappingChanges changes)
{
    /// <summary>See <see cref="MemoryManager.Remap"/>.</summary>
    public Result<GuestAddress> Remap(ulong start, ulong oldLength, ulong newLength, bool mayMove, ulong? target, bool keepOld)
    {
        MemoryMapping? mapping = mappings.Find(start);
        if (mapping is null || start + Math.Max(oldLength, 1) > mapping.End)
        {
            return Errno.EFAULT;
        }

        if (oldLength == 0 && !mapping.IsShared)
        {
            return Errno.EINVAL;
        }

        changes.CallSites?.Restore(start, start + oldLength);

        if (target is null && !keepOld)
        {
            if (newLength <= oldLength)
            {
                changes.RemoveRange(start + newLength, start + oldLength, tellPlatform: true);
                return new GuestAddress(start);
            }

            if (oldLength > 0 && start + oldLength == mapping.End && start + newLength <= layout.MaxAddress && mappings.IsFree(mapping.End, start + newLength))
            {
                changes.Grow(mapping, start + newLength);
                return new GuestAddress(start);
            }

            if (!mayMove)
            {
                return Errno.ENOMEM;
            }
        }

        ulong destination;
        if (target is { } fixedTarget)
        {
            changes.RemoveRange(fixedTarget, fixedTarget + newLength, tellPlatform: true);
            destination = fixedTarget;
            mapping = mappings.Find(start);
            if (mapping is null)
            {
                return Errno.EFAULT;
            }
        }
        else if ((destination = mappings.FindHoleBelow(layout.MmapTop, layout.MinAddress, newLength)) == 0)
        {
            return Errno.ENOMEM;
        }

        MemoryMapping moved = mapping.CopyFor(start, start + newLength);
        moved.Start = destination;
        moved.End = destination + newLength;
        changes.AddReferences(moved);
        changes.MovePages(start, Math.Min(oldLength, newLength), destination);
        if (keepOld)
        {
            changes.Hide(start, oldLength);
        }
        else
        {
            changes.RemoveRange(start, start + oldLength, tellPlatform: true);
        }

        changes.Insert(moved);
        return new GuestAddress(destination);
    }
}
