using System.Diagnostics.CodeAnalysis;

namespace Moat.Collections;

/// <summary>How many use something. Once the number has come back to zero it stays there. Any thread.</summary>
/// <param name="first">How many there are at first.</param>
public struct UserCount(int first)
{
    private int _users = first;

    /// <summary>The number at this moment.</summary>
    [UnscopedRef]
    public readonly ref readonly int Number => ref _users;

    /// <summary>Whether there is one alone; another may come at once.</summary>
    public readonly bool IsOne => Volatile.Read(in _users) == 1;

    /// <summary>Adds a user where there is one, or the first one of all.</summary>
    public void Add() => Interlocked.Increment(ref _users);

    /// <summary>Adds a user.</summary>
    /// <returns>False if there is none left.</returns>
    public bool TryAdd()
    {
        int users = Volatile.Read(ref _users);
        while (users > 0)
        {
            int seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
            {
                return true;
            }

            users = seen;
        }

        return false;
    }

    /// <summary>Removes a user.</summary>
    /// <returns>Whether it was the last.</returns>
    public bool RemoveLast() => Interlocked.Decrement(ref _users) == 0;
}
